"""The suite: what is done with a client. What is judged of it stands in aepmock.judge."""
