"""What needs several rooms, one file a verb. Plain functions; no Flask, no SQL of their own."""
