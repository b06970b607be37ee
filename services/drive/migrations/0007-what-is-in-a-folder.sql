-- What is directly in a folder, behind an entry of it, in byte order: objects by their keys, sub-folders by what their keys begin with, to the slash. What
-- lies in a sub-folder is jumped over, however much that is. `folder` ends in a slash, or is empty for the bucket itself; at most `most`, which is above 0.
create function entries_in(for_bucket text, folder bytea, behind bytea, most int)
returns setof bytea language plpgsql stable
-- The rows come by the index, in its order, whatever the statistics of the table say: sorted, all of them would be read first.
set enable_sort = off as $$
declare
  -- No key has the byte ff.
  bound constant bytea := case folder when '' then '\xff' else substring(folder for length(folder) - 1) || '\x30' end;
  -- The last one that was told; the folder itself is no entry of its own.
  entry bytea := greatest(behind, folder);
  slash int;
  start bytea;
begin
  loop
    slash := position('\x2f'::bytea in substring(entry from length(folder) + 1));
    -- 30 comes right after the slash.
    start := case slash when 0 then entry || '\x00' else substring(entry for length(folder) + slash - 1) || '\x30' end;
    for entry in
      select o.key from drive.objects o
        where o.bucket = for_bucket and o.key >= start and o.key < bound order by o.key limit 1000
    loop
      slash := position('\x2f'::bytea in substring(entry from length(folder) + 1));
      if slash > 0 then
        entry := substring(entry for length(folder) + slash);
      end if;
      return next entry;
      most := most - 1;
      exit when slash > 0 or most = 0;
    end loop;
    exit when not found or most = 0;
  end loop;
end $$;
