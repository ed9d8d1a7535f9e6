"""Figures that are asked for over HTTP: a page on a beat, a query of Prometheus."""
