"""What noise is: families, streams of random numbers, the grid."""
