//! The promise: what is dumped comes back equal, by stock tools and by us, from a folder and from S3.
