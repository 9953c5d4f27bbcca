# The git revision at configure time: CIMSTAT_REVISION, "+" when files were changed, "unknown" where
# there is no git, no repository (a tarball), or the repository around us is not ours.
set(CIMSTAT_REVISION unknown)
find_package(Git QUIET)
if(GIT_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --show-toplevel
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    OUTPUT_VARIABLE cimstat_toplevel OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  file(REAL_PATH "${PROJECT_SOURCE_DIR}" cimstat_source)
  if(cimstat_toplevel STREQUAL cimstat_source)
    execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --short=12 HEAD
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
      OUTPUT_VARIABLE cimstat_head OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    execute_process(COMMAND ${GIT_EXECUTABLE} status --porcelain --untracked-files=no
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
      OUTPUT_VARIABLE cimstat_changes OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(cimstat_head)
      set(CIMSTAT_REVISION "${cimstat_head}")
      if(cimstat_changes)
        string(APPEND CIMSTAT_REVISION "+")
      endif()
    endif()
    # Each commit and checkout appends to this log: configure again then.
    execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --git-path logs/HEAD
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
      OUTPUT_VARIABLE cimstat_log OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    get_filename_component(cimstat_log "${cimstat_log}" ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})
    if(EXISTS "${cimstat_log}")
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${cimstat_log}")
    endif()
  endif()
endif()
