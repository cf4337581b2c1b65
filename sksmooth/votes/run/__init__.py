"""What a long run needs: workers, a store of votes, progress."""
