"""Connections to the databases of a service, with what went wrong said in words for people."""
