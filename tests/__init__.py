"""The promises of polyfaas."""
