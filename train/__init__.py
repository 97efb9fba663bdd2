"""Teaching the model to see: data, packing, the training loop, evaluation."""
