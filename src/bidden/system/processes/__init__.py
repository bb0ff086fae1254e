"""Parts that run in processes of their own: the policy, the monitor."""
