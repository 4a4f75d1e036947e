"""hw3 5: an MLP, a 1-D CNN, an LSTM and a GRU on series of 50 steps of 8 features, each where it is strong and weak."""
