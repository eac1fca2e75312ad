//! How RocksDB is set up.

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, CompactionPri, DBCompressionType, DBRecoveryMode, Env, Options,
    SliceTransform, WriteBufferManager,
};
use rustix::process::{Resource, getrlimit};

use super::Family;

/// How many octets of an index key tell which postings it belongs to; see [`super::key`].
const INDEX_PREFIX: usize = 11;

/// How many files a database keeps open where there is room.
const FILES: i32 = 1024;

/// How many files a database keeps open here: at most half of those that this process may open. Without one that it needs it
/// could write no more.
pub(in crate::store) fn open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    u64::from(FILES.unsigned_abs()).min(limit / 2)
}

/// What holds for all families.
pub(super) fn database(cache: &Cache, cache_octets: usize) -> Options {
    let cores = std::thread::available_parallelism().map_or(2, |cores| i32::try_from(cores.get()).unwrap_or(2));
    let mut options = Options::default();
    if let Ok(mut env) = Env::new() {
        // Tidying up is for when nobody waits for an answer.
        env.lower_thread_pool_cpu_priority();
        options.set_env(&env);
    }
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_paranoid_checks(true);
    // After a crash, everything up to the first damaged record: acknowledged writes have been synced before.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_track_and_verify_wals_in_manifest(true);
    options.set_max_total_wal_size(256 << 20);
    options.set_bytes_per_sync(1 << 20);
    options.set_max_background_jobs(cores.max(2));
    options.set_max_open_files(i32::try_from(open_files()).unwrap_or(FILES));
    options.set_keep_log_file_num(3);
    options.set_max_log_file_size(4 << 20);
    // What is to be written counts against the same bound as what was read.
    let buffers = (cache_octets / 3).clamp(16 << 20, 96 << 20);
    let manager = WriteBufferManager::new_write_buffer_manager_with_cache(buffers, false, cache.clone());
    options.set_write_buffer_manager(&manager);
    options
}

/// What holds for one.
pub(super) fn family(family: Family, cache: &Cache, cache_octets: usize) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    // In parts: with a million entries the filters of the index alone are half as large as the cache, and reading one whole
    // for each search would take a hundred times as long as the search.
    table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    table.set_partition_filters(true);
    table.set_metadata_block_size(4 << 10);
    table.set_pin_top_level_index_and_filter(true);
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table.set_bloom_filter(10.0, false);
    table.set_format_version(6);
    table.set_block_size(if family == Family::Index { 4 << 10 } else { 8 << 10 });
    let mut options = Options::default();
    if family == Family::Index {
        options.set_prefix_extractor(SliceTransform::create_fixed_prefix(INDEX_PREFIX));
        options.set_memtable_prefix_bloom_ratio(0.1);
        table.set_whole_key_filtering(false);
        // An entry has tens of postings: tidied up in larger portions, they are written less often.
        options.set_level_zero_file_num_compaction_trigger(8);
    }
    options.set_block_based_table_factory(&table);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_compaction_pri(CompactionPri::MinOverlappingRatio);
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_write_buffer_size((cache_octets / 8).clamp(8 << 20, 64 << 20));
    options
}
