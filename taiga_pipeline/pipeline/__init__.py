"""The sales side: deals, stages, gates, the deal store, import and export."""
