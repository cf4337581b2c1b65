"""What an estimator is, and what short cuts its kind allows."""
