"""Where the live service and the mock differ, and which reading of the documentation holds."""
