// The target of CMakeLists.txt that owns the precompiled headers of the rooms needs a source.
