// The target of tests/CMakeLists.txt that owns the precompiled headers of tests needs a source.
