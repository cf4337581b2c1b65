"""From an estimator and inputs to votes: how often each class is predicted."""
