# Makes a C++ source that holds text files as string views:
#   cmake -DOUTPUT=x.cpp -DNAMESPACE=a::b -DFILES=style=x.css,script=x.js -P embed.cmake
# Raw string literals: the files stay readable in the source tree, where tools can check them.
set(text "// Made by embed.cmake.\n#include <string_view>\n\nnamespace ${NAMESPACE} {\n\n")
string(REPLACE "," ";" entries "${FILES}")
foreach(entry IN LISTS entries)
  string(REGEX MATCH "^([^=]+)=(.+)$" whole "${entry}")
  set(name "${CMAKE_MATCH_1}")
  set(file "${CMAKE_MATCH_2}")
  file(READ "${file}" content)
  string(FIND "${content}" ")embedded\"" end)
  if(NOT end EQUAL -1)
    message(FATAL_ERROR "${file}: contains the end of a raw string literal")
  endif()
  string(APPEND text "extern const std::string_view ${name}_text;\n"
                     "const std::string_view ${name}_text = R\"embedded(${content})embedded\";\n\n")
endforeach()
file(WRITE "${OUTPUT}" "${text}}  // namespace ${NAMESPACE}\n")
