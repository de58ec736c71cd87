"""What keeps the processes of a command alive, and what of them outlives each."""
