"""The embedded run: local AWS and search engine on loopback, for the demo and the end-to-end tests."""
