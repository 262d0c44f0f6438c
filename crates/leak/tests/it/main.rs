//! The bench against a server in memory that leaks in one way at a time.
