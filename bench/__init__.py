"""Measures the same requests on every runtime and in process, and proves that they answer alike."""
