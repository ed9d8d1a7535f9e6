"""Carrying out a plan, durably; knows no plug-in and no Markdown."""
