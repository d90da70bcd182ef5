// Runs a job on the storage thread and brings its result back to the interface thread.
//
// The storage is destroyed before the view models are (main.cpp), and its destructor lets every job
// run: so `context` is alive whenever a result is posted to it. Call on the interface thread.
#pragma once

#include <QMetaObject>
#include <QObject>
#include <memory>
#include <type_traits>
#include <utility>

#include "storage/storage.h"

namespace paluku {

// `job(Stores&)` on the storage thread, then `done(result)` on the thread of `context`.
template <class Job, class Done>
void onStorage(Storage& storage, QObject* context, Job job, Done done) {
  using Value = std::invoke_result_t<Job&, Stores&>;
  storage.Post(std::move(job), [context, done = std::move(done)](Value&& value) {
    auto shared = std::make_shared<Value>(std::move(value));
    QMetaObject::invokeMethod(
        context, [done, shared] { done(std::move(*shared)); }, Qt::QueuedConnection);
  });
}

}  // namespace paluku
