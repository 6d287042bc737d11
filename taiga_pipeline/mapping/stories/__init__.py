"""What stories are filled with besides their texts."""
