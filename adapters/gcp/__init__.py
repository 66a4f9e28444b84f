"""Google Cloud Functions."""
