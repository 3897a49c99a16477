//! The Linux AIO engine of aio
