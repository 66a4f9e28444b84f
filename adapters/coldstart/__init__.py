"""What a cold start is made of: fresh instances are started, called twice, and their profiles drawn as a waterfall."""
