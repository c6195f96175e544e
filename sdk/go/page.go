package byond

import (
	"context"
	"encoding/json"
	"maps"
)

// Page is a page of a list.
type Page[Item any] struct {
	// Items are the elements of this page.
	Items []*Item
	// NextPageToken is the parameter PageToken of the next page, now or later. Empty on the last page.
	NextPageToken string

	load func(ctx context.Context, token string) (*Page[Item], error)
}

// Next loads the next page. It returns nil after the last one.
func (p *Page[Item]) Next(ctx context.Context) (*Page[Item], error) {
	if p.NextPageToken == "" {
		return nil, nil
	}
	return p.load(ctx, p.NextPageToken)
}

func loadPage[Item any](ctx context.Context, c *caller, attempt *Attempt, options []CallOption) (*Page[Item], error) {
	data, err := c.call(ctx, attempt, options)
	if err != nil {
		return nil, err
	}
	members, err := decode[map[string]json.RawMessage](data)
	if err != nil {
		return nil, err
	}
	page := &Page[Item]{load: func(ctx context.Context, token string) (*Page[Item], error) {
		next := *attempt
		next.Parameters = maps.Clone(attempt.Parameters)
		next.Parameters["page_token"] = token
		return loadPage[Item](ctx, c, &next, options)
	}}
	if items, ok := (*members)[attempt.Operation.ItemsField]; ok {
		if err := unmarshal(items, &page.Items); err != nil {
			return nil, err
		}
	}
	if token, ok := (*members)["next_page_token"]; ok {
		if err := unmarshal(token, &page.NextPageToken); err != nil {
			return nil, err
		}
	}
	return page, nil
}
