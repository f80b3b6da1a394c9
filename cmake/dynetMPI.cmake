# The target dynet::mpi, training over the processes of whatever MPI is found here: headers, which need no archive.
find_package(MPI QUIET COMPONENTS CXX)
if(MPI_CXX_FOUND AND NOT TARGET dynet::mpi)
  add_library(dynet::mpi INTERFACE IMPORTED GLOBAL)
  target_link_libraries(dynet::mpi INTERFACE dynet::dynet MPI::MPI_CXX)
  target_compile_definitions(dynet::mpi INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
endif()
