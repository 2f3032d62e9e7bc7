"""The payments room: money through the processor, and nothing of documents."""
