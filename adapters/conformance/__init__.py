"""Conformance: golden and made-up requests, to which every runtime must give the answers of the call in process."""
