"""IBM Code Engine functions and Apache OpenWhisk."""
