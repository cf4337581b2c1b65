"""Class probabilities under noise without votes."""
