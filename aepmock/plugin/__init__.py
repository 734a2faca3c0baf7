"""What stands behind the hooks of `aepmock.pytest_plugin`; light to import, as that is."""
