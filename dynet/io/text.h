// Model files in DyNet 2's text format: collections and parameters are written one after another, by name.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "dynet/params/collection.h"

namespace dynet::engine {

class FileWriter;
class Records;

/// What TextFileSaver writes, under names that nobody has to check.
void write_records(FileWriter& out, const ParameterCollection& collection, const std::string& prefix);
void write_record(FileWriter& out, const Storage& storage, const std::string& name);

}  // namespace dynet::engine

namespace dynet {

/// What writes files, of whatever format.
class Saver {
 public:
  virtual ~Saver() = default;
  virtual void save(const ParameterCollection& collection, const std::string& key = "") = 0;
  virtual void save(const Parameter& parameter, const std::string& key = "") = 0;
  virtual void save(const LookupParameter& lookup, const std::string& key = "") = 0;
};

/// What reads them.
class Loader {
 public:
  virtual ~Loader() = default;
  virtual void populate(ParameterCollection& collection, const std::string& key = "") const = 0;
  virtual void populate(Parameter& parameter, const std::string& key = "") const = 0;
  virtual void populate(LookupParameter& lookup, const std::string& key = "") const = 0;
  virtual Parameter load_param(ParameterCollection& collection, const std::string& key) const = 0;
  virtual LookupParameter load_lookup_param(ParameterCollection& collection,
                                            const std::string& key) const = 0;
};

/// Writes a file. The first save() replaces what the file held (unless append is set) when all is written,
/// the next ones add to it; a save() that fails leaves the file as it was.
class TextFileSaver : public Saver {
 public:
  explicit TextFileSaver(std::filesystem::path file, bool append = false);

  /// All parameters, then all lookup tables; with a key it takes the place of the collection's own name.
  void save(const ParameterCollection& collection, const std::string& key = "") override;
  /// Under the key, or under its full name.
  void save(const Parameter& parameter, const std::string& key = "") override;
  void save(const LookupParameter& lookup, const std::string& key = "") override;

  /// What save() does but for the last step, which is commit().
  std::unique_ptr<engine::FileWriter> write(const ParameterCollection& collection,
                                            const std::string& key) const;
  std::unique_ptr<engine::FileWriter> write(const Parameter& parameter, const std::string& key) const;
  std::unique_ptr<engine::FileWriter> write(const LookupParameter& lookup, const std::string& key) const;

 private:
  std::filesystem::path file_;
  bool append_;
};

/// Reads a file of TextFileSaver or of DyNet 2. Nothing changes when something in the file is wrong. What
/// TextFileSaver writes has checksums, which DyNet 2 passes over.
class TextFileLoader : public Loader {
 public:
  explicit TextFileLoader(std::filesystem::path file) : file_(std::move(file)) {}
  /// Of a file that was read already, with the name it has in messages.
  TextFileLoader(std::filesystem::path file, std::shared_ptr<engine::Records> records)
      : file_(std::move(file)), records_(std::move(records)) {}

  /// What the file holds under "key/" (or all of it) goes into the collection by position, not by name.
  void populate(ParameterCollection& collection, const std::string& key = "") const override;
  /// What populate() does when nothing can fail any more.
  std::function<void()> prepare(const ParameterCollection& collection, const std::string& key) const;
  void populate(Parameter& parameter, const std::string& key = "") const override;
  void populate(LookupParameter& lookup, const std::string& key = "") const override;
  /// Adds a parameter with the key as its name, shape and numbers from the file.
  Parameter load_param(ParameterCollection& collection, const std::string& key) const override;
  LookupParameter load_lookup_param(ParameterCollection& collection, const std::string& key) const override;

 private:
  std::shared_ptr<engine::Records> records() const;

  std::filesystem::path file_;
  std::shared_ptr<engine::Records> records_;
};

/// A whole collection under the key "/model".
void save_dynet_model(const std::string& file, ParameterCollection* collection);
void load_dynet_model(const std::string& file, ParameterCollection* collection);

}  // namespace dynet
