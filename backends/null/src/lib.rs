//! The engine of aio that completes everything at once and moves no data
