"""lmms-eval's model classes, and arguments of them, that were read and found to keep media on this machine.

Everything else is refused until the user says so: a new class, another package's, or a new argument of an engine
may send recordings anywhere. Read for lmms-eval 0.7.3; vLLM's and SGLang's arguments as of vLLM 0.11 and SGLang 0.5.
"""

from __future__ import annotations

_OURS = """
    semiology_constant semiology_hf semiology_jsonl semiology_openai semiology_qwen2_audio semiology_state_machine
    semiology_supervised
"""
OURS = frozenset(_OURS.split())
"""Our own classes; they refuse arguments that they do not know."""
_IN_PROCESS = """
    aero aria async_hf async_hf_model audio_flamingo_3 auroracap bagel bagel_lmms_engine bagel_umm bagel_unig2u
    baichuan_omni cambrians cambrians_vsc cambrians_vsc_streaming cambrians_vsr cogvlm2 dummy dummy_video_reader
    egogpt from_log fuyu gemma3 gemma4 glm4v huggingface idefics2 illume_plus instructblip internvideo2
    internvideo2_5 internvl internvl2 internvl3 internvl3_5 internvl_hf kimi_audio lfm2_5_vl llama4_scout
    llama_vid llama_vision llava llava_hf llava_onevision llava_onevision1_5 llava_onevision2
    llava_onevision_moviechat llava_sglang llava_vid longva longvila mantis minicpm_o minicpm_v minimonkey
    mistral3_vl mmada moviechat mplug_owl_video nanovlm neo_ov ola omnivinci oryx ovis_u1 penguinvl phi3v
    phi4_multimodal plm qwen2_5_omni qwen2_5_vl qwen2_audio qwen2_vl qwen3_5 qwen3_omni qwen3_vl qwen_vl ross
    sglang slime tinyllava uni_moe_2_omni videoChatGPT video_llava video_salmonn_2 videochat2 videochat_flash
    videollama3 vila vita vllm vllm_generate vora vqtoken whisper whisper_vllm xcomposer2_4KHD xcomposer2d5
"""
IN_PROCESS = frozenset(_IN_PROCESS.split())
"""Classes that load a checkpoint in this process; those that only make pictures or films are left out."""
_SERVERS = """
    async_openai async_openai_compatible async_openai_compatible_chat litellm litellm_chat litellm_compatible
    openai openai_compatible openai_compatible_chat semiology_openai srt_api
"""
SERVERS = frozenset(_SERVERS.split())
"""Classes that send media to a server; its address decides whether that is this machine."""
_LITELLM_PROVIDERS = """
    hosted_vllm llamafile lm_studio ollama ollama_chat openai openai_like
"""
LITELLM_PROVIDERS = frozenset(_LITELLM_PROVIDERS.split())
"""Beginnings of LiteLLM's model names that use the address they are given; the others have their own."""
_MODEL_ARGUMENTS = """
    add_faster_video add_generation_prompt add_system_prompt add_time_instruction anyres_max_subimages
    attn_implementation audio_chunk_ms audio_length base_model batch_size cache_dir cfg_img_scale cfg_interval
    cfg_renorm_min cfg_renorm_type cfg_text_scale chat_template codec_cache_dir codec_group_size
    codec_images_per_group codec_max_group_frames codec_min_group_frames codec_patch codec_spatial_mask_mode
    codec_target_canvas compile_prefilling compression_downsample_ratio config consolidation_mem_budget
    consolidation_method continual_mode conv_mode conv_template customized_config data_parallel_size decode_fps
    decode_num_frames delay_load device device_map diffusion_decoder_path disable_log_stats disable_thinking
    do_image_splitting do_sample downsample_ratio dtype dynamic enable_image_decoding enable_thinking
    enable_visual_cot enable_visual_feature_caching enforce_eager eos_token_id fail_gracefully fail_on_missing
    faster_token_stride fixed_num_frames force_sample fps frameCat generation_prompt_template
    generation_timesteps gpu_memory_utilization guidance_scale half have_limits hd_num image_aspect_ratio
    image_first image_processor image_ratio image_shapes infer_auto_device_map init_audio init_tts init_vision
    interleave_visuals intermediate_dir is_qwen3_vl json_model_override_args language language_model
    limit_mm_per_prompt load_audio_in_video load_detokenizer load_in_4bit load_in_8bit logs long_memory_length
    low_cpu_mem_usage max_batch_size max_frame_num max_frames max_frames_num max_image_size max_length
    max_model_len max_new_tokens max_num max_num_frames max_patches max_pixels max_soft_tokens max_think_token_n
    max_tokens max_turn merge_frame_length messages_format metrics_output_path min_image_pixels min_patches
    min_pixels miv_token_len mm_newline_position mm_resampler_location mm_resampler_type mm_spatial_pool_mode
    mm_spatial_pool_out_channels mm_spatial_pool_stride modality mode model model_args model_base model_id_name
    model_name model_path model_type model_version need_bos nframes no_think_prompt num_frame num_frames num_frm
    num_layers num_segments num_timesteps num_video_frames output_dir output_image_dir overwrite pad_token_id
    padding parallel patch_size pretrained pretrained_llama_model pretrained_llama_proj_model pretrained_llm
    pretrained_vit projection_path read_bytes reasoning_prompt reduce_generation_overhead repetition_penalty
    resolution response response_persistent_folder retrieval_topk revision save_intermediate seed
    sensory_window_size short_memory_length show_thinking si_token_len simple_prompt skip_mm_profiling
    sliding_window_length slowfast specified_eot_token_id stage1_guidance_scale stage1_image_ratio
    stage1_max_new_tokens stage1_num_beams stage1_temperature stage1_top_p stage2_do_sample
    stage2_max_new_tokens stage2_num_beams stage2_temperature stage2_top_p stage_0_devices stage_init_timeout
    surprise_threshold system_prompt target_fps task temperature tensor_parallel_size text_repetition_penalty
    text_repetition_window_size text_temperature text_top_k think_mode threads tie_weights timestamp_decimals
    timestep_shift tmp_folder token_merge_ratio token_strategy tokenizer tokenizer_checkpoint
    tokenizer_config_path top_k top_p torch_dtype total_max_num total_pixels tp_size truncate_context truncation
    trust_remote_code use_audio_in_video use_cache use_codec use_custom_video_loader use_embedded_vision
    use_flash_attention_2 use_flash_attn video_decode_backend video_force_sample video_fps video_max_frames
    vision_model vqtoken_max_clusters vqtoken_min_clusters vqtoken_selection_method weight_type work_dir
    worker_count worker_gpus
"""
MODEL_ARGUMENTS = frozenset(_MODEL_ARGUMENTS.split())
"""Arguments of the classes that load a checkpoint; ``allow_remote``, MCP servers and stage files are left out."""
_ENGINE_ARGUMENTS = """
    allowed_local_media_path async_scheduling block_size chunked_prefill_size code_revision compilation_config
    context_length cpu_offload_gb cuda_graph_max_bs cudagraph_capture_sizes disable_cascade_attn
    disable_cuda_graph disable_custom_all_reduce disable_mm_preprocessor_cache disable_radix_cache
    disable_sliding_window dp_size enable_chunked_prefill enable_dp_attention enable_expert_parallel
    enable_multimodal enable_prefix_caching enable_torch_compile generation_config gpu_id hf_overrides
    kv_cache_dtype kv_cache_memory_bytes load_format log_level logprobs_mode mamba_cache_dtype
    max_num_batched_tokens max_num_seqs max_prefill_tokens max_running_requests max_seq_len_to_capture
    max_total_tokens media_io_kwargs mem_fraction_static mm_attention_backend mm_encoder_tp_mode
    mm_processor_cache_gb mm_processor_kwargs num_gpu_blocks_override override_generation_config
    pipeline_parallel_size pp_size quantization random_seed reasoning_parser rope_scaling rope_theta runner
    schedule_policy scheduling_policy skip_tokenizer_init speculative_config swap_space tokenizer_mode
    tokenizer_path tokenizer_revision
"""
ENGINE_ARGUMENTS = frozenset(_ENGINE_ARGUMENTS.split())
"""Of vLLM and SGLang, which take what their classes do not know; those that name machines are checked apart."""
_SERVER_ARGUMENTS = """
    adaptive_concurrency adaptive_decrease_factor adaptive_failure_threshold adaptive_increase_step
    adaptive_max_concurrency adaptive_min_concurrency adaptive_target_latency_s api_key azure_openai
    enable_thinking_kwarg httpx_trust_env in_flight max_retries max_size_in_mb mem_fraction_static
    num_concurrent num_cpus num_processes pass_video_url port prefix_aware_queue prefix_hash_chars
    retry_backoff_s timeout tp
"""
SERVER_ARGUMENTS = frozenset(_SERVER_ARGUMENTS.split())
"""Of the classes that send media to a server, beside its address."""
