package main

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// problemOf returns what is wrong with a value, by the rules at the head of sdk/cases.yaml; nothing if it matches.
func problemOf(actual, expected any, path string) string {
	wrong := fmt.Sprintf("%s is %v, not %v", path, actual, expected)
	switch wanted := expected.(type) {
	case nil:
		// A step without `expect` has nil, too: nothing is asked of its outcome.
		if path != "" && actual != nil {
			return wrong
		}
	case []any:
		elements, ok := actual.([]any)
		if !ok || len(elements) != len(wanted) {
			return wrong
		}
		for index, element := range wanted {
			if problem := problemOf(elements[index], element, fmt.Sprintf("%s.%d", path, index)); problem != "" {
				return problem
			}
		}
	case object:
		return problemOfObject(actual, wanted, path, wrong)
	default:
		if !reflect.DeepEqual(actual, expected) {
			return wrong
		}
	}
	return ""
}

func problemOfObject(actual any, wanted object, path, wrong string) string {
	for name, operand := range wanted {
		if strings.HasPrefix(name, "$") {
			if matches(actual, name, operand) {
				return ""
			}
			return wrong
		}
	}
	members, ok := actual.(object)
	if !ok {
		return wrong
	}
	for name, value := range wanted {
		if problem := problemOf(members[name], value, path+"."+name); problem != "" {
			return problem
		}
	}
	return ""
}

func matches(actual any, operator string, operand any) bool {
	list, isList := actual.([]any)
	switch operator {
	case "$match":
		text, ok := actual.(string)
		return ok && regexp.MustCompile(fmt.Sprint(operand)).MatchString(text)
	case "$present":
		return actual != nil
	case "$absent":
		return actual == nil
	case "$length":
		return isList && float64(len(list)) == operand
	case "$at_least":
		least, _ := operand.(float64)
		number, isNumber := actual.(float64)
		return isList && float64(len(list)) >= least || isNumber && number >= least
	case "$not":
		return problemOf(actual, operand, "the value") != ""
	}
	panic("there is no operator " + operator)
}
