# Refuses an include that points upward (core <- devices <- circuits <- experiments), and a
# dependency that leaks out of its one seam. Run with -DROOT=<project root>.
cmake_policy(SET CMP0057 NEW)
set(rooms core devices circuits experiments)
set(failures 0)

# include pattern -> files that may use it
set(seams
  "<(tbb|oneapi)/.*=core/parallel.cpp"
  "<(hdf5|hdf5_hl|H5[A-Z]).*=core/file/hdf5_library.h"
  "\"core/file/hdf5_(gate|library|reader|storage|writer)=core/file/hdf5_.*"
  "<toml.*=core/config/config.cpp"
  "<nlohmann/json_fwd.*=core/file/json.h"
  "<nlohmann/json.hpp=.*[.]cpp"
  "<openssl/.*=core/file/provenance.cpp"
  "<zlib.*=core/file/deflate.cpp"
  "<mpi.*=core/communicator.cpp"
  "\"core/communicator.h=(core/communicator.cpp|experiments/sweep/mpi_source.h|experiments/mpi_main.cpp)"
  "<(onnx|google/protobuf)/.*=experiments/onnx/onnx_(file.cpp|tensor[.](h|cpp))"
  "<torch/.*=experiments/training/.*"
  "<CLI/.*=experiments/(commands/.*|main.cpp|mpi_main.cpp|training/.*)")

foreach(room IN LISTS rooms)
  list(FIND rooms ${room} height)
  file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/${room}/*.h ${ROOT}/${room}/*.cpp)
  if(NOT files)
    message(SEND_ERROR "${room}: no files found under ${ROOT}")
  endif()
  foreach(file IN LISTS files)
    file(STRINGS ${ROOT}/${file} includes REGEX "^ *# *include ")
    foreach(include IN LISTS includes)
      if(include MATCHES "\"([a-z]+)/")
        list(FIND rooms "${CMAKE_MATCH_1}" target)
        if(target GREATER height OR CMAKE_MATCH_1 MATCHES "^(tests|bench)$")
          message(SEND_ERROR "${file}: ${include} points upward")
        elseif(target EQUAL -1)
          message(SEND_ERROR "${file}: ${include} is in no room")
        endif()
      endif()
      foreach(seam IN LISTS seams)
        string(REGEX MATCH "^(.*)=(.*)$" matched "${seam}")
        set(header ${CMAKE_MATCH_1})
        set(owner ${CMAKE_MATCH_2})
        if(include MATCHES "${header}" AND NOT file MATCHES "^${owner}$")
          message(SEND_ERROR "${file}: ${include} belongs in ${owner} only")
        endif()
      endforeach()
    endforeach()
  endforeach()
endforeach()
