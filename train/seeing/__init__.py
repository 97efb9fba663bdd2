"""Learning to see: the scene encoder and its heads are trained on what was drawn, without a language model."""
