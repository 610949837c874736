"""TLS as MSRP needs it: certificates, whom to believe, and OpenSSL under it."""
