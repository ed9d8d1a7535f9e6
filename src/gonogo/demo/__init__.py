"""A real release of a bundled service, on real servers, that goes wrong and is rolled back."""
