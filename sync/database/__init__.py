"""What every store shares: set-up of engines, errors, migrations, copies."""
