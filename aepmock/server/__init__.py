"""What `aepmock serve` puts around the mock: instances, journal, control API, page, TLS."""
