"""What the off-policy agents share: replay, critics, the update and the training loop."""
