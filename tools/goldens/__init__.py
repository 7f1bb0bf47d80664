"""Makes the golden fixtures: tiny random checkpoints with what the reference implementations compute from them."""
