"""What an account may use: granted by a service, locked and unlocked, revoked with its end."""
