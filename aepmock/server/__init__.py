"""What `aepmock serve` puts around the mock: tenants, journal, control API, page, TLS."""
