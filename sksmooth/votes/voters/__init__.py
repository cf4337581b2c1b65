"""One file for each way of classifying noisy copies."""
