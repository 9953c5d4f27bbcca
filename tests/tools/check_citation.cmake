# CITATION.cff names the version that the program carries. Run with -DROOT=<project root> -DVERSION=<version>.
cmake_minimum_required(VERSION 3.25)
file(STRINGS ${ROOT}/CITATION.cff lines)
foreach(line IN ITEMS "cff-version: 1.2.0" "version: ${VERSION}" "license: Apache-2.0")
  if(NOT line IN_LIST lines)
    message(FATAL_ERROR "CITATION.cff lacks the line \"${line}\"")
  endif()
endforeach()
