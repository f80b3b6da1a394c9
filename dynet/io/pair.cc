// One saver of a name at a time puts both files in their places.
#include "dynet/io/pair.h"

#include "dynet/io/lock.h"

namespace dynet::engine {

void PairWriter::commit() {
  data_.finish();
  meta_.finish();
  sync_folder_of(meta_.target());
  {
    const ReplaceLock lock(data_.target());
    data_.replace();
    meta_.keep();
    sync_folder_of(data_.target());
    meta_.replace();
  }
  sync_folder_of(meta_.target());
  for (const FileWriter* file : {&data_, &meta_}) remove_dead_partials(file->target());
}

}  // namespace dynet::engine
